#!/usr/bin/env bash
# Starts HBase and both Thrift servers. When one ends the others are ended too: whoever runs this
# starts all of them again.
set -u
conf=${HBASE_CONF_DIR:-/etc/hbase}
jars=${HBASE_JARS:-/opt/hbase/jars}
admin_port=${HBASE_ADMIN_PORT:-9091}

# Hadoop, HBase and Netty reach into these packages by reflection, which Java 17 forbids by default.
options=(-Djava.net.preferIPv4Stack=true -Dfile.encoding=UTF-8 -XX:-UsePerfData)
for package in java.lang java.lang.reflect java.nio java.util jdk.internal.misc sun.nio.ch; do
    options+=("--add-opens=java.base/$package=ALL-UNNAMED")
done

start() {
    java "${options[@]}" "-Xmx$1" -cp "$conf:$jars/*" "org.apache.hadoop.hbase.${@:2}" &
}

start "${HBASE_HEAP:-1g}" master.HMaster start
start "${HBASE_THRIFT_HEAP:-512m}" thrift.ThriftServer start
# Tables are made through this one, which takes its port from the same setting unless told.
start 128m thrift2.ThriftServer start -p "$admin_port"

trap 'kill $(jobs -p) 2>/dev/null' TERM INT
wait -n
status=$?
kill $(jobs -p) 2>/dev/null
wait
exit "$status"
