# Creates the tables that are missing: hbase shell -n tables.rb
# Written from the table specifications. The prefix goes up to the table's own name;
# servers without SNAPPY take GZ.
prefix = 'leitong_'
compression = 'SNAPPY'
salts = ['\x10', '\x20', '\x30', '\x40', '\x50', '\x60', '\x70', '\x80', '\x90', '\xA0', '\xB0', '\xC0', '\xD0', '\xE0', '\xF0']
existing = list

create(prefix + 'article',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression}, SPLITS => salts) unless existing.include?(prefix + 'article')

create(prefix + 'text',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => 'NONE',
          BLOCKCACHE => 'false',
          IS_MOB => 'true',
          MOB_THRESHOLD => '102400'}, SPLITS => salts) unless existing.include?(prefix + 'text')

create(prefix + 'bucket',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression}, SPLITS => salts) unless existing.include?(prefix + 'bucket')

create(prefix + 'fingerprint',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression}, SPLITS => salts) unless existing.include?(prefix + 'fingerprint')

create(prefix + 'tail',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression}, SPLITS => salts) unless existing.include?(prefix + 'tail')

create(prefix + 'citation',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression}, SPLITS => salts) unless existing.include?(prefix + 'citation')

create(prefix + 'article_similar',
         {NAME => 'similar',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression}) unless existing.include?(prefix + 'article_similar')

create(prefix + 'vector',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression}) unless existing.include?(prefix + 'vector')

create(prefix + 'timeline',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression}) unless existing.include?(prefix + 'timeline')

create(prefix + 'rollup',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression}) unless existing.include?(prefix + 'rollup')

create(prefix + 'batch',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression}) unless existing.include?(prefix + 'batch')

create(prefix + 'dead_letter',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression}) unless existing.include?(prefix + 'dead_letter')

create(prefix + 'meta',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression}) unless existing.include?(prefix + 'meta')
