/* Tokens are few and read once; a look-up compares with each of them, all bytes, so that time tells nothing about how near a guess was. */
#include "coordinator/shell/access.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS_MAX = 1024, TOKEN_BYTES_MAX = 256, TOKEN_BYTES_MIN = 8, LINE_BYTES_MAX = 1024, ROLES_ALL = 0x1e };

struct token {
    char text[TOKEN_BYTES_MAX]; /* zero-padded */
    char tenant[ACCESS_TENANT_MAX + 1];
    struct core_grant grant; /* its tenant points to the text above */
};

struct access {
    bool everything;
    size_t count;
    struct token tokens[TOKENS_MAX];
};

static bool parse_roles(const char *text, uint32_t *out_roles)
{
    static const char *const names[ROLE_COUNT] = {
        [ROLE_WORKER] = "worker", [ROLE_CLIENT] = "client", [ROLE_GATEWAY] = "gateway", [ROLE_ADMIN] = "admin"
    };
    uint32_t roles = 0;
    while (*text) {
        size_t size = strcspn(text, ",");
        uint32_t role = ROLE_COUNT;
        for (uint32_t i = ROLE_WORKER; i < ROLE_COUNT; i++)
            if (strlen(names[i]) == size && memcmp(names[i], text, size) == 0) role = i;
        if (role == ROLE_COUNT) return false;
        roles |= 1U << role;
        text += size;
        if (*text == ',') text++;
    }
    *out_roles = roles;
    return roles != 0;
}

bool access_by_names(const char *tenant, const char *roles, struct core_grant *out_grant)
{
    struct core_grant grant = { 0 };
    if (!tenant || !*tenant || !roles || !parse_roles(roles, &grant.roles)) return false;
    grant.any_tenant = strcmp(tenant, "*") == 0;
    if (!grant.any_tenant) grant.tenant = span_text(tenant);
    *out_grant = grant;
    return true;
}

/* NULL, or what is wrong with the line. */
static const char *take_line(struct access *access, char *line)
{
    char *rest = line;
    const char *words[4] = { NULL };
    size_t count = 0;
    for (char *word; count < 4 && (word = strtok_r(rest, " \t\r\n", &rest)) != NULL;)
        words[count++] = word;
    if (count == 0 || words[0][0] == '#') return NULL;
    if (count != 3) return "a line is TOKEN TENANT ROLES";
    if (access->count == TOKENS_MAX) return "too many tokens; allowed: 1024";
    size_t size = strlen(words[0]);
    if (size < TOKEN_BYTES_MIN || size >= TOKEN_BYTES_MAX) return "a token has 8 to 255 bytes";
    if (strlen(words[1]) > ACCESS_TENANT_MAX) return "a tenant has at most 64 bytes";
    struct token *token = &access->tokens[access->count];
    memcpy(token->text, words[0], size);
    strcpy(token->tenant, words[1]);
    if (!access_by_names(token->tenant, words[2], &token->grant)) return "roles are worker, client, gateway, admin, joined by commas";
    access->count++;
    return NULL;
}

static bool read_tokens(struct access *access, const char *path, char *error, size_t error_size)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        snprintf(error, error_size, "[tokens] file: %s: %s", path, strerror(errno));
        return false;
    }
    char line[LINE_BYTES_MAX];
    const char *wrong = NULL;
    unsigned number = 0;
    while (!wrong && fgets(line, sizeof line, file)) {
        number++;
        wrong = take_line(access, line);
    }
    memset(line, 0, sizeof line);
    fclose(file);
    if (wrong) snprintf(error, error_size, "%s:%u: %s", path, number, wrong);
    return !wrong;
}

struct access *access_open(const char *tokens_file, bool everything, char *error, size_t error_size)
{
    struct access *access = calloc(1, sizeof *access);
    if (!access) {
        snprintf(error, error_size, "no memory for the table of tokens");
        return NULL;
    }
    access->everything = everything;
    if (tokens_file && !read_tokens(access, tokens_file, error, error_size)) access_close(&access);
    return access;
}

void access_close(struct access **access)
{
    if (*access) explicit_bzero(*access, sizeof **access);
    free(*access);
    *access = NULL;
}

struct core_grant access_initial(const struct access *access)
{
    struct core_grant grant = { 0 };
    if (access->everything) {
        grant.roles = ROLES_ALL;
        grant.any_tenant = true;
    }
    return grant;
}

bool access_has_tokens(const struct access *access)
{
    return access->count > 0;
}

bool access_by_token(const struct access *access, struct span credential, struct core_grant *out_grant)
{
    char padded[TOKEN_BYTES_MAX] = { 0 };
    if (credential.size < TOKEN_BYTES_MIN || credential.size >= TOKEN_BYTES_MAX) return false;
    memcpy(padded, credential.data, credential.size);
    size_t found = access->count;
    for (size_t i = 0; i < access->count; i++) {
        unsigned char differ = 0;
        for (size_t at = 0; at < TOKEN_BYTES_MAX; at++)
            differ |= (unsigned char)(padded[at] ^ access->tokens[i].text[at]);
        found = differ ? found : i;
    }
    explicit_bzero(padded, sizeof padded);
    if (found == access->count) return false;
    *out_grant = access->tokens[found].grant;
    return true;
}
