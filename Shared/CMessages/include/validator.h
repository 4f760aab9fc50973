// Looks at a message's bytes before protobuf-c does, which recurses without limit, cuts strings at a NUL and takes any
// bytes for UTF-8.
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

typedef enum cm_status {
  CM_VALID,
  CM_TRUNCATED,         // a tag, number or length runs past the end
  CM_BAD_VARINT,        // more than 10 bytes, or a tag or length of more than 5
  CM_BAD_TAG,           // field number 0, a group, or a wire type that does not exist
  CM_WRONG_WIRE_TYPE,   // of a known field
  // A message in a field that is not repeated comes again. Protobuf would merge the two; protobuf-c does so by copying all
  // lists in it, so that n rows in n such fields cost n² time and memory. No encoder writes this.
  CM_MESSAGE_TWICE,
  CM_INVALID_UTF8,
  CM_EMBEDDED_NUL,
  CM_TOO_DEEP,
  CM_TOO_MANY_FIELDS,
} cm_status;

// Messages in messages, the outermost not counted.
#define CM_MAX_DEPTH 100
// Fields of all messages and elements of packed fields, known or not: 2 bytes on the wire can cost 100 in memory.
#define CM_MAX_FIELDS 500000
// Fields of one message type. The generator refuses larger ones.
#define CM_MAX_FIELDS_PER_TYPE 512

typedef struct cm_violation {
  const ProtobufCMessageDescriptor *message;  // in which it is
  const ProtobufCFieldDescriptor *field;      // NULL where the field is unknown
} cm_violation;

// Fills `violation` unless the answer is CM_VALID.
cm_status cm_validate(const ProtobufCMessageDescriptor *descriptor, const uint8_t *data, size_t length,
                      cm_violation *violation);
