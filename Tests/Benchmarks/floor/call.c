#include "call.h"

#include <stdlib.h>
#include <string.h>

#define HEADER(name, value)                                                 \
  {                                                                         \
    (uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, sizeof(value) - 1, \
        NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE        \
  }

static Call *call_take(Calls *calls) {
  Call *call = calls->pool;
  if (call) {
    calls->pool = call->next;
  } else {
    call = calloc(1, sizeof *call);
    if (!call) return NULL;
  }
  call->count = call->sent = 0;
  call->is_too_large = false;
  request_begin(&call->request);
  return call;
}

static void call_give_back(Calls *calls, Call *call) {
  call->next = calls->pool;
  calls->pool = call;
}

void calls_free(Calls *calls) {
  while (calls->pool) {
    Call *call = calls->pool;
    calls->pool = call->next;
    free(call->message);
    free(call);
  }
}

static bool call_append(Call *call, const uint8_t *bytes, size_t count) {
  if (call->count + count > PREFIX_LENGTH + MESSAGE_LIMIT) {
    call->is_too_large = true;
    return true;
  }
  if (call->count + count > call->capacity) {
    const size_t capacity = (call->count + count) * 2 < 512 ? 512 : (call->count + count) * 2;
    uint8_t *grown = realloc(call->message, capacity);
    if (!grown) return false;
    call->message = grown;
    call->capacity = capacity;
  }
  memcpy(call->message + call->count, bytes, count);
  call->count += count;
  return true;
}

// The status of a call whose request has arrived in full.
static nghttp2_nv call_status(const Call *call, uint64_t now_ns) {
  static const nghttp2_nv ok = HEADER("grpc-status", "0"), deadline_exceeded = HEADER("grpc-status", "4"),
                          resource_exhausted = HEADER("grpc-status", "8"), unimplemented = HEADER("grpc-status", "12"),
                          internal = HEADER("grpc-status", "13");
  if (call->request.method == METHOD_UNKNOWN) return unimplemented;
  if (call->is_too_large) return resource_exhausted;
  if (call->request.is_malformed || !call->request.is_post || !call->request.accepts_trailers) return internal;
  if (call->count < PREFIX_LENGTH || call->message[0] != 0) return internal;
  const uint8_t *length = call->message + 1;
  const size_t announced =
      (size_t)length[0] << 24 | (size_t)length[1] << 16 | (size_t)length[2] << 8 | (size_t)length[3];
  if (announced != call->count - PREFIX_LENGTH) return internal;
  if (now_ns > call->request.deadline_ns) return deadline_exceeded;
  return ok;
}

static ssize_t read_message(nghttp2_session *session, int32_t stream_id, uint8_t *buffer, size_t length,
                            uint32_t *flags, nghttp2_data_source *source, void *user_data) {
  (void)user_data;
  Call *call = source->ptr;
  const size_t left = call->count - call->sent, count = left < length ? left : length;
  memcpy(buffer, call->message + call->sent, count);
  call->sent += count;
  if (count == left) {
    static const nghttp2_nv ok = HEADER("grpc-status", "0");
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    const int error = nghttp2_submit_trailer(session, stream_id, &ok, 1);
    if (error) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }
  return (ssize_t)count;
}

static int answer(nghttp2_session *session, Call *call, uint64_t now_ns) {
  static const nghttp2_nv ok_headers[] = {HEADER(":status", "200"), HEADER("content-type", "application/grpc")};
  static const nghttp2_nv unsupported[] = {HEADER(":status", "415")};
  if (!call->request.is_grpc) return nghttp2_submit_response(session, call->stream_id, unsupported, 1, NULL);
  const nghttp2_nv status = call_status(call, now_ns);
  if (status.value[0] != '0') {
    const nghttp2_nv trailers_only[] = {ok_headers[0], ok_headers[1], status};
    return nghttp2_submit_response(session, call->stream_id, trailers_only, 3, NULL);
  }
  const nghttp2_data_provider provider = {.source = {.ptr = call}, .read_callback = read_message};
  return nghttp2_submit_response(session, call->stream_id, ok_headers, 2, &provider);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
  if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  Call *call = call_take(user_data);
  if (!call) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  call->stream_id = frame->hd.stream_id;
  nghttp2_session_set_stream_user_data(session, call->stream_id, call);
  return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name, nghttp2_rcbuf *value,
                     uint8_t flags, void *user_data) {
  (void)flags;
  Call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  if (!call) return 0;
  request_add_header(&call->request, nghttp2_rcbuf_get_buf(name), nghttp2_rcbuf_get_buf(value),
                     ((Calls *)user_data)->now_ns);
  return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *bytes, size_t count,
                   void *user_data) {
  (void)flags, (void)user_data;
  Call *call = nghttp2_session_get_stream_user_data(session, stream_id);
  if (call && !call_append(call, bytes, count)) return NGHTTP2_ERR_CALLBACK_FAILURE;
  return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
  const bool carries_request = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
  if (!carries_request || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) return 0;
  Call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  return call ? answer(session, call, ((Calls *)user_data)->now_ns) : 0;
}

static int on_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code, void *user_data) {
  (void)error_code;
  Call *call = nghttp2_session_get_stream_user_data(session, stream_id);
  if (call) call_give_back(user_data, call);
  return 0;
}

nghttp2_session_callbacks *call_callbacks(void) {
  nghttp2_session_callbacks *callbacks;
  if (nghttp2_session_callbacks_new(&callbacks)) return NULL;
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  return callbacks;
}
