#!/bin/sh
# Ray writes HAProxy's configuration before each of its starts, and has it listen on every interface for metrics and for
# statistics, and for pictures too where the machines of the cluster have different addresses. This has metrics and
# statistics listen to this machine alone, and pictures come in where `cluster.listen` says.
set -eu
last=
for word in "$@"; do
    if [ "$last" = -f ]; then
        sed -i -E -e 's/^( *bind ):/\1127.0.0.1:/' \
            -e 's/^( *bind )\*:'"$WHATSIT_STATS_PORT"'$/\1127.0.0.1:'"$WHATSIT_STATS_PORT"'/' \
            -e 's/^( *bind )\*:/\1'"$WHATSIT_INGRESS_HOST"':/' "$word"
    fi
    last=$word
done
exec "$WHATSIT_HAPROXY" "$@"
