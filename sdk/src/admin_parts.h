/* What the files of weir_admin share. Nobody else includes this. */
#ifndef WEIR_SDK_ADMIN_PARTS_H
#define WEIR_SDK_ADMIN_PARTS_H

#include <weir/admin.h>

#include "sdk/src/session.h"

struct weir_admin {
    struct session session; /* first: weir_last_error takes any handle */
    uint64_t asked, answered;
    weir_status status;
    weir_answer_rows *rows;
    weir_change change; /* of the newest answer */
    char message[256];
};

/* Under the session's lock, after `asked` was raised: waits for the answer. WEIR_OK, or why not, told by session_fail. */
weir_status admin_await(weir_admin *admin, int timeout_ms);

/* A change, and its answer. WEIR_INVALID for what is not asked at all. */
weir_status admin_manage(weir_admin *admin, struct msg_manage *manage, int timeout_ms, weir_change *out_change);
weir_status admin_refuse(weir_admin *admin, const char *why);

/* The rows of an answer, texts and all, in one block. Gives; NULL: no memory. */
weir_answer_rows *admin_rows_copy(const struct msg_answer *answer);

#endif
