# Creates the tables that are missing: hbase shell -n tables.rb
# Written from the table specifications. The prefix is that of the store's address and
# an underscore; servers without SNAPPY take GZ.
prefix = 'leitong_'
generation = 'main'
compression = 'SNAPPY'
salts = ['\x10', '\x20', '\x30', '\x40', '\x50', '\x60', '\x70', '\x80', '\x90', '\xA0', '\xB0', '\xC0', '\xD0', '\xE0', '\xF0']
existing = list

create(prefix + 'generation',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression,
          BLOCKSIZE => '16384'}) unless existing.include?(prefix + 'generation')

create(prefix + generation + '_article',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression,
          BLOCKSIZE => '16384'}, SPLITS => salts) unless existing.include?(prefix + generation + '_article')

create(prefix + generation + '_text',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => 'NONE',
          BLOCKSIZE => '65536',
          BLOCKCACHE => 'false',
          IS_MOB => 'true',
          MOB_THRESHOLD => '102400'}, SPLITS => salts) unless existing.include?(prefix + generation + '_text')

create(prefix + generation + '_bucket',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression,
          BLOCKSIZE => '16384'}, SPLITS => salts) unless existing.include?(prefix + generation + '_bucket')

create(prefix + generation + '_head',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression,
          BLOCKSIZE => '16384'}, SPLITS => salts) unless existing.include?(prefix + generation + '_head')

create(prefix + generation + '_tail',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression,
          BLOCKSIZE => '16384'}, SPLITS => salts) unless existing.include?(prefix + generation + '_tail')

create(prefix + generation + '_citation',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression,
          BLOCKSIZE => '16384'}, SPLITS => salts) unless existing.include?(prefix + generation + '_citation')

create(prefix + generation + '_article_similar',
         {NAME => 'similar',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression,
          BLOCKSIZE => '16384'}) unless existing.include?(prefix + generation + '_article_similar')

create(prefix + generation + '_vector',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression,
          BLOCKSIZE => '16384'}) unless existing.include?(prefix + generation + '_vector')

create(prefix + generation + '_timeline',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression,
          BLOCKSIZE => '16384'}) unless existing.include?(prefix + generation + '_timeline')

create(prefix + generation + '_rollup',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression,
          BLOCKSIZE => '16384'}) unless existing.include?(prefix + generation + '_rollup')

create(prefix + generation + '_summary',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression,
          BLOCKSIZE => '16384'}) unless existing.include?(prefix + generation + '_summary')

create(prefix + generation + '_batch',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression,
          BLOCKSIZE => '16384'}) unless existing.include?(prefix + generation + '_batch')

create(prefix + generation + '_dead_letter',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression,
          BLOCKSIZE => '16384'}) unless existing.include?(prefix + generation + '_dead_letter')

create(prefix + generation + '_meta',
         {NAME => 'c',
          VERSIONS => '1',
          BLOOMFILTER => 'ROW',
          DATA_BLOCK_ENCODING => 'FAST_DIFF',
          COMPRESSION => compression,
          BLOCKSIZE => '16384'}) unless existing.include?(prefix + generation + '_meta')
