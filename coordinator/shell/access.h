/* Who may do what: credentials become grants. Kind: shell. One thread. */
#ifndef WEIR_COORDINATOR_ACCESS_H
#define WEIR_COORDINATOR_ACCESS_H

#include "coordinator/core/core.h"

enum { ACCESS_TENANT_MAX = 64 };

struct access; /* the token table */

/* Reads the tokens file (NULL: no tokens, only what --dev or CURVE give). NULL: *error (size bytes) says file, line and what is allowed. */
struct access *access_open(const char *tokens_file, bool everything, char *error, size_t error_size);
void access_close(struct access **access);

/* Before a credential is seen: everything with --dev, else nothing. */
struct core_grant access_initial(const struct access *access);

bool access_has_tokens(const struct access *access);

/* What this credential allows. The time it takes does not tell how much of a token was right. False: no such token, *out_grant is
 * untouched. */
bool access_by_token(const struct access *access, struct span credential, struct core_grant *out_grant);

/* A certificate's metadata: a tenant (or "*") and roles such as "worker,client". The tenant is lent by the caller. False: roles are not
 * understood. */
bool access_by_names(const char *tenant, const char *roles, struct core_grant *out_grant);

#endif
