# The stack in containers: compose/up --docker and compose/down --docker.
# shellcheck shell=bash disable=SC2154

# docker_compose ARGUMENT…: of this project, on PostgreSQL when POSTGRES=1.
docker_compose() {
  local files=(-f "$ROOT/compose/compose.yaml")
  [ "${POSTGRES:-0}" = 0 ] || files+=(-f "$ROOT/compose/compose.postgres.yaml")
  docker compose "${files[@]}" --profile demo "$@"
}

need_docker() {
  command -v docker >/dev/null || fail 2 "docker: not found on PATH: install Docker Engine with its compose plugin"
  local compose engine
  compose=$(docker compose version --short 2>/dev/null) ||
    fail 2 "docker compose: this docker does not have it; install docker-compose-plugin"
  engine=$(docker version --format '{{.Server.Version}}' 2>/dev/null) ||
    fail 2 "the Docker engine does not answer: is it running, and may $(id -un) use it?"
  is_at_least 2.24.4 "$compose" || fail 2 "docker compose is $compose; the files need 2.24.4 or newer"
  is_at_least 25 "$engine" || fail 2 "the Docker engine is $engine; the files need 25 or newer"
}

# is_at_least WANTED VERSION
is_at_least() { [ "$(printf '%s\n' "$1" "${2#v}" | sort --version-sort | head -n 1)" = "$1" ]; }

# is_given NAME: the environment or compose/.env has it.
is_given() {
  docker compose --project-directory "$ROOT/compose" -f - config --quiet 2>/dev/null \
    <<<"services: {any: {image: any, environment: [\"\${$1:?}\"]}}"
}

# postgres_secrets: a password that is made once, and the URL that holds it, unless the caller has said where they are.
postgres_secrets() {
  local directory=$STATE_DIR/secrets
  if ! is_given POSTGRES_PASSWORD_FILE && ! is_given DATABASE_URL_FILE; then
    (umask 077 && mkdir -p "$directory")
    # The directory keeps others out: in the containers it is another user who reads the files.
    [ -s "$directory/postgres-password" ] || random_text >"$directory/postgres-password"
    printf 'postgresql://oms:%s@postgres/oms\n' "$(cat "$directory/postgres-password")" >"$directory/database-url"
    chmod 644 "$directory"/*
    export POSTGRES_PASSWORD_FILE=$directory/postgres-password DATABASE_URL_FILE=$directory/database-url
  fi
}

# docker_up: builds the images, starts the stack and waits until everything in it is healthy.
docker_up() {
  local services=(gateway inventory catalog sales post-sales) images=(gateway) before
  if [ "$demo" = 1 ]; then
    services+=(oms shop) images+=(oms)
    export OMS_SYNCHRONOUS_METHODS=${OMS_SYNCHRONOUS_METHODS-$DEMO_SYNCHRONOUS_METHODS}
    export COMMERCE_POLL_INTERVAL=${COMMERCE_POLL_INTERVAL:-$DEMO_POLL_INTERVAL}
  else
    # The simulators are not there. What the environment or compose/.env says goes before.
    export DEMO_OMS_URL='' DEMO_COMMERCE_URL=''
  fi
  [ "${POSTGRES:-0}" = 0 ] || postgres_secrets
  # Whatever ran before is left to whoever started it, as it may be of use still.
  before=$(docker_compose ps --quiet)
  docker_compose build "${images[@]}" || fail 1 "the images could not be built; what ran still runs"
  docker_compose up --detach --wait --scale "inventory=$replicas" "${services[@]}" && return
  docker_compose logs --tail 20 >&2
  [ -z "$before" ] || fail 1 "the stack is not healthy; the end of its logs is above. It ran before, and was not taken down"
  docker_compose down >&2
  fail 1 "the stack is not healthy and was taken down; the end of its logs is above"
}

docker_demo() {
  local state=/var/lib/oms-connector
  say
  say "== Stock, from the OMS to the shop"
  docker_compose exec -T oms oms --control $state/oms.sock story
  say
  say "== An order, from checkout to refund"
  docker_compose exec -T shop shop --control $state/shop.sock story --oms $state/oms.sock
  say
  say "== Stock of EU-WEB, as the store holds it (omsctl stock list EU-WEB)"
  docker_compose exec -T gateway omsctl stock list EU-WEB
}

docker_addresses() {
  local commands=' -f compose/compose.yaml' secrets='' name
  if [ "${POSTGRES:-0}" != 0 ]; then
    commands+=" -f compose/compose.postgres.yaml"
    # That file is refused without them. What compose/.env names is found there again.
    for name in POSTGRES_PASSWORD_FILE DATABASE_URL_FILE; do
      [ -z "${!name:-}" ] || printf -v secrets '%s %s=%q' "$secrets" "$name" "${!name}"
    done
    secrets=${secrets:+$'\n  export'$secrets}
  fi
  cat <<TEXT

== The connector runs in containers
  gRPC            127.0.0.1:${GATEWAY_GRPC_PORT:-50051}
  OMS callback    http://127.0.0.1:${GATEWAY_HTTP_PORT:-8080}/service-bus
  admin           http://127.0.0.1:${GATEWAY_ADMIN_PORT:-8081}/healthz, /readyz, /metrics
  inventory       $replicas replica(s)

Try$secrets
  docker compose$commands exec gateway omsctl status
  docker compose$commands logs --follow
TEXT
}
