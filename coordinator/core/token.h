/* Application tokens: accepted once in their life [P3]. */
#ifndef WEIR_CORE_TOKEN_H
#define WEIR_CORE_TOKEN_H

#include "coordinator/core/state.h"

struct token { /* durable, but for next */
    uint64_t hash[2];
    uint64_t position, time_ms; /* where and when it was accepted */
    uint32_t tenant, next;      /* next: how much further on the tenant's next one stands; 0: none */
};

/* Where a look ahead at the tokens of a publish is. */
struct token_look {
    const struct msg_publish *publish;
    const uint8_t *body; /* of the next event */
    size_t next;
};

struct token_answer {
    uint64_t position; /* of the first one: this is a repeat; 0: it is new */
    uint32_t wait_ms;  /* over 0: new, but there is no room before */
};

void token_tenant_init(struct tenant *tenant);
void token_look_ahead(struct core *c, uint32_t tenant, struct token_look *look, size_t at); /* before event `at` of the publish */
void token_look_end(struct core *c);
struct token_answer token_ask(struct core *c, uint32_t tenant, struct span text, uint32_t ahead); /* ahead: new ones that come before it */
uint64_t token_find(struct core *c, uint32_t tenant, struct span text); /* the position of a living one; 0: none */
bool token_mark(struct core *c, struct span text, uint64_t position);   /* the event just asked for is appended there; false: no token */
bool apply_token(struct core *c, const struct block *block, uint32_t index);
bool apply_tokens(struct core *c, struct span body);
bool tokens_save_slice(struct core *c);                   /* false: there are more */
uint64_t tokens_digest(const struct core *c);

#endif
