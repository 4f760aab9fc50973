// The C side of Messages: protobuf-c's generated code, and what protobuf-c lacks for use on untrusted bytes.
#pragma once

#include "arena.h"
#include "descriptors.h"
#include "generated.h"
#include "utf8.h"
#include "validator.h"
