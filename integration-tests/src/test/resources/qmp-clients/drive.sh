#!/bin/sh
# drive.sh CLIENT SOURCE DESTINATION URI FOLDER
# Drives a source and a destination, by the sockets of their QMP, with a client for people and
# scripts: a migration that is cancelled, one that is yanked, and one that completes; and listens to
# the source's events meanwhile. Each request is a process of its own.
set -eu
client=$1 source=$2 destination=$3 uri=$4 folder=$5

connect() { # SOCKET
    case $client in
    socat) exec socat -t 20 - "UNIX-CONNECT:$1" ;;
    nc) exec nc -N -U "$1" ;;
    qmp-shell) exec python3 -m qemu.qmp.qmp_shell "$1" ;;
    esac
}

request() { # COMMAND NAME=JSON...
    if [ "$client" = qmp-shell ]; then
        echo "$*"
        return
    fi
    name=$1 arguments=
    shift
    for each; do arguments="$arguments${arguments:+,}\"${each%%=*}\":${each#*=}"; done
    printf '{"execute":"%s","arguments":{%s}}' "$name" "$arguments"
}

negotiate() {
    [ "$client" = qmp-shell ] || printf '{"execute":"qmp_capabilities"}'
}

ask() { # SOCKET COMMAND NAME=JSON...
    socket=$1
    shift
    { negotiate; request "$@"; } | connect "$socket"
}

must() { # TEXT SOCKET COMMAND NAME=JSON...
    text=$1
    shift
    answer=$(ask "$@")
    case $answer in
    *"$text"*) ;;
    *) echo "$*: $answer"; exit 1 ;;
    esac
}

until_status() { # STATUS SOCKET
    for i in $(seq 300); do
        answer=$(ask "$2" query-migrate)
        case $answer in
        *"\"status\": \"$1\""*) echo "$1"; return ;;
        esac
        sleep 0.1
    done
    echo "no $1: $answer"
    exit 1
}

q() { # a JSON string, as the client's own syntax has it
    if [ "$client" = qmp-shell ]; then echo "$1"; else echo "\"$1\""; fi
}

done='"return": {}'
[ "$client" != qmp-shell ] || done='{"return": {}'
events='[{"capability":"events","state":true}]'
must "$done" "$source" migrate-set-capabilities "capabilities=$events"
must "$done" "$source" migrate-set-parameters max-bandwidth=20000

mkfifo "$folder/in"
connect "$source" <"$folder/in" >"$folder/events" &
exec 3>"$folder/in"
negotiate >&3

must "$done" "$source" migrate "uri=$(q "exec:cat>$folder/one")"
until_status active "$source"
must "$done" "$source" migrate_cancel
until_status cancelled "$source"

must "$done" "$source" migrate "uri=$(q "exec:cat>$folder/two")"
until_status active "$source"
must "$done" "$source" yank 'instances=[{"type":"migration"}]'
until_status failed "$source"

must "$done" "$source" migrate-set-parameters max-bandwidth=0
must "$done" "$destination" migrate-incoming "uri=$(q "$uri")"
must "$done" "$source" migrate "uri=$(q "$uri")"
until_status completed "$source"
until_status completed "$destination"

if [ "$client" = qmp-shell ]; then # it reads events with an answer, and shows them at an empty line
    request query-status >&3
    echo >&3
fi
exec 3>&-
wait
grep -oE "['\"]event['\"]: ['\"][A-Z_]+['\"]" "$folder/events" | tr "'" '"' | sort | uniq -c
