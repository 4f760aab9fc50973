# One stack: its settings, its processes, and what is known of those that run.
# shellcheck shell=bash

# load_settings: reads the settings from the environment, checks them and exports them for the processes.
load_settings() {
  STATE_DIR=$(realpath -m -- "${STATE_DIR:-$ROOT/.run}")
  export STATE_DIR
  export GATEWAY_GRPC=${GATEWAY_GRPC:-127.0.0.1:50051}
  export GATEWAY_HTTP=${GATEWAY_HTTP:-127.0.0.1:8080}
  export GATEWAY_ADMIN=${GATEWAY_ADMIN:-127.0.0.1:8081}
  export DEMO_OMS=${DEMO_OMS:-127.0.0.1:8090}
  export DEMO_SHOP=${DEMO_SHOP:-127.0.0.1:8091}
  # Whoever reaches an address of the machine's own may call, unless the user says who may. With another address the
  # gateway wants to be told.
  if is_loopback "$GATEWAY_GRPC" && [ -z "${GATEWAY_TOKENS_FILE:-}${TLS_CLIENT_CA_FILE:-}" ]; then
    export GATEWAY_INSECURE=${GATEWAY_INSECURE:-1}
  fi
  export STACK_DEMO=${STACK_DEMO:-0} STACK_INVENTORY=${STACK_INVENTORY:-1}
  LOCK=$STATE_DIR/lock
  LOGS=$STATE_DIR/log
  PIDS=$STATE_DIR/pids   # what runs
  ENDED=$STATE_DIR/ended # a line for each time that a process has ended by itself
}

is_loopback() { [[ $1 =~ ^(127\.[0-9.]+|localhost|\[::1\]):[0-9]+$ ]]; }

check_settings() {
  local name value
  for name in GATEWAY_GRPC GATEWAY_HTTP GATEWAY_ADMIN DEMO_OMS DEMO_SHOP; do
    value=${!name}
    [[ $value =~ ^[^:]+:[0-9]+$ || $value =~ ^\[.+\]:[0-9]+$ ]] || fail 2 "$name: \"$value\" is not HOST:PORT"
  done
  local socket longest=''
  while read -r socket; do
    [ "${#socket}" -le "${#longest}" ] || longest=$socket
  done < <(sockets)
  # sun_path holds 108 bytes, the NUL included.
  local bytes
  bytes=$(printf %s "$longest" | wc -c)
  [ "$bytes" -le 107 ] ||
    fail 2 "STATE_DIR: the socket $longest has a path of $bytes bytes, and 107 is the most; choose a shorter STATE_DIR"
}

# The story tells what each message did, which the simulator learns from a synchronous answer.
DEMO_SYNCHRONOUS_METHODS=magento.inventory.aggregate_stock_management.updated
DEMO_POLL_INTERVAL=1s # nobody wants to wait a minute for the demo

# demo_settings: simulators are the OMS and the shop. Their credentials are made up anew each time.
demo_settings() {
  STACK_DEMO=1
  OMS_URL=http://$DEMO_OMS
  OMS_OAUTH_SERVER_URL=http://$DEMO_OMS
  OMS_OAUTH_CLIENT_ID=demo
  OMS_OAUTH_CLIENT_SECRET=$(random_text)
  OMS_SECRET=$(random_text)
  OMS_SYNCHRONOUS_METHODS=${OMS_SYNCHRONOUS_METHODS-$DEMO_SYNCHRONOUS_METHODS}
  export OMS_URL OMS_OAUTH_SERVER_URL OMS_OAUTH_CLIENT_ID OMS_OAUTH_CLIENT_SECRET OMS_SECRET OMS_SYNCHRONOUS_METHODS
  COMMERCE_URL=http://$DEMO_SHOP
  COMMERCE_TOKEN=$(random_text)
  COMMERCE_MAPPING_FILE=$ROOT/compose/demo.mapping
  COMMERCE_POLL_INTERVAL=${COMMERCE_POLL_INTERVAL:-$DEMO_POLL_INTERVAL}
  export COMMERCE_URL COMMERCE_TOKEN COMMERCE_MAPPING_FILE COMMERCE_POLL_INTERVAL
}

random_text() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

processes() {
  local n
  [ "$STACK_DEMO" = 0 ] || printf '%s\n' oms shop
  for ((n = 1; n <= STACK_INVENTORY; n++)); do echo "inventory-$n"; done
  printf '%s\n' catalog sales post-sales gateway
}

sockets() {
  local name
  for name in $(processes); do socket_of "$name"; done
}

socket_of() {
  case $1 in
  inventory-*) echo "$STATE_DIR/inventory/${1#inventory-}.sock" ;;
  *) echo "$STATE_DIR/$1.sock" ;;
  esac
}

# launch NAME [ARGUMENT…]: becomes that process (or its --check). Call it in a subshell.
launch() {
  local name=$1
  shift
  export LISTEN
  LISTEN=unix:$(socket_of "$name")
  export GATEWAY_TARGET=unix:$STATE_DIR/gateway.sock
  export CATALOG_TARGET=unix:$STATE_DIR/catalog.sock
  export INVENTORY_TARGET=unix-dir:$STATE_DIR/inventory
  export SALES_TARGET=unix:$STATE_DIR/sales.sock
  export POST_SALES_TARGET=unix:$STATE_DIR/post-sales.sock
  [ -n "${DATABASE_URL_FILE:-}" ] || export DATABASE_URL=${DATABASE_URL:-sqlite:$STATE_DIR/data}
  export CONNECTOR_CALLBACK_URL=${CONNECTOR_CALLBACK_URL:-http://$GATEWAY_HTTP/service-bus}
  case $name in
  gateway) ;;
  oms)
    [ "${1:-}" != --check ] || exec "${SIMULATOR[@]}" state >/dev/null
    exec "${SIMULATOR[@]}" serve --listen "$DEMO_OMS"
    ;;
  shop)
    [ "${1:-}" != --check ] || exec "${SHOP_SIMULATOR[@]}" state >/dev/null
    exec "${SHOP_SIMULATOR[@]}" serve --listen "$DEMO_SHOP" --demo
    ;;
  # Only the gateway talks to the OMS: nobody else needs its secrets.
  *) unset "${!OMS_@}" ;;
  esac
  exec "$BIN/${name%-[0-9]*}" "$@"
}

# simulator_commands: how the simulators of --demo are called.
simulator_commands() {
  SIMULATOR=("$ROOT/Tests/Simulators/oms" --control "$STATE_DIR/oms.sock")
  SHOP_SIMULATOR=("$ROOT/Tests/Simulators/shop" --control "$STATE_DIR/shop.sock")
}

# Processes that run. A pid alone may be somebody else's by now: the time of its start tells.

# record NAME PID. Whoever reads the file finds all of it or none.
record() {
  local started new=$STATE_DIR/.pid.$1
  if started=$(started_at "$2"); then echo "$2 $started" >"$new" && mv "$new" "$PIDS/$1"; fi
}

# started_at PID: clock ticks after boot.
started_at() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  stat=${stat##*) } # the command's name may hold blanks and brackets
  [[ $stat != Z* ]] || return 1 # ended, and nobody has asked for its status
  cut -d ' ' -f 20 <<<"$stat"
}

# recorded_pids PATTERN: those of the recorded processes that still run.
recorded_pids() {
  local file pid started
  for file in "$PIDS"/$1; do
    [ -f "$file" ] || continue
    read -r pid started <"$file" || continue
    [ -n "$started" ] && [ "$(started_at "$pid")" = "$started" ] && echo "$pid"
  done
  return 0
}

# signal SIGNAL PATTERN: to the recorded processes that match.
signal() {
  local pid
  for pid in $(recorded_pids "$2"); do kill "-$1" "$pid" 2>/dev/null || true; done
}

# take_lock: before anything is touched in STATE_DIR. The supervisor inherits it, and its keepers, and they hold it for as
# long as they live.
take_lock() {
  umask 077 # sockets, store and logs are for whoever runs the stack
  mkdir -p "$STATE_DIR" || fail 2 "STATE_DIR: $STATE_DIR cannot be made"
  chmod 700 "$STATE_DIR"
  exec 9>"$LOCK"
  flock --nonblock 9 ||
    fail 1 "a stack runs in $STATE_DIR already: stop it with compose/down, or set STATE_DIR and the GATEWAY_ addresses for another"
}

release_lock() { exec 9>&-; }

stack_runs() { [ -e "$LOCK" ] && ! flock --nonblock "$LOCK" true; }

# wait_for_end [SECONDS]
wait_for_end() { flock ${1:+--timeout "$1"} "$LOCK" true; }

# remove_leftovers: what a run that was killed has left behind.
remove_leftovers() {
  local pids
  pids=$(recorded_pids '*')
  if [ -n "$pids" ]; then
    say "stopping what a crashed run has left behind: ${pids//$'\n'/ }"
    signal KILL '*'
    local pid
    for pid in $pids; do tail --pid="$pid" -s 0.05 -f /dev/null; done
  fi
  rm -rf "$PIDS" "$ENDED" "$STATE_DIR"/*.sock "$STATE_DIR"/inventory/*.sock
}
