#pragma once
#include <libpq-fe.h>
// PG_DIAG_SQLSTATE and its like are character constants, which Swift does not import.
static const int CPQ_DIAG_SQLSTATE = PG_DIAG_SQLSTATE;
static const int CPQ_DIAG_MESSAGE = PG_DIAG_MESSAGE_PRIMARY;
