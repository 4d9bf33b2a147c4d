/* `weir keys new`: a CURVE certificate for a peer, or for the coordinator itself. The public half, with name, tenant and roles, goes into
 * the coordinator's directory of certificates; the secret half stays with the peer. CZMQ makes and writes both, the secret one readable by
 * its owner only. */
#include "sdk/cli/cli.h"

#include <czmq.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static const char *const role_words[] = { "worker", "client", "gateway", "admin", "coordinator" };

/* A file name and a certificate's value: nothing that could leave the directory or break a line. */
static bool plain(const char *text)
{
    return text[0] != '\0' && text[0] != '.' && strlen(text) <= 64 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == strlen(text);
}

static bool known_roles(const char *roles)
{
    while (*roles) {
        size_t size = strcspn(roles, ",");
        bool known = false;
        for (size_t i = 0; i < sizeof role_words / sizeof *role_words; i++)
            if (strlen(role_words[i]) == size && memcmp(role_words[i], roles, size) == 0) known = true;
        if (!known) return false;
        roles += size;
        if (*roles == ',') roles++;
    }
    return true;
}

static int write_pair(const struct cli *cli, zcert_t *cert, const char *directory, const char *name, bool coordinator)
{
    char public_path[2048], secret_path[2048];
    struct stat there;
    snprintf(public_path, sizeof public_path, "%s/%s.cert", directory, name);
    snprintf(secret_path, sizeof secret_path, "%s/%s.cert_secret", directory, name);
    if (stat(public_path, &there) == 0 || stat(secret_path, &there) == 0)
        return cli_fail("%s or its secret exists already; keys are never overwritten", public_path);
    if (mkdir(directory, 0755) != 0 && errno != EEXIST) return cli_fail("cannot make %s: %s", directory, strerror(errno));
    if (zcert_save_public(cert, public_path) != 0) return cli_fail("cannot write %s: %s", public_path, strerror(errno));
    if (zcert_save_secret(cert, secret_path) != 0) return cli_fail("cannot write %s: %s", secret_path, strerror(errno));
    const char *where = coordinator ? "[curve] key of the coordinator" : "to the directory of [curve] certificates";
    if (cli->json)
        cli_json_print(json_pack("{s:s,s:s,s:s,s:s}", "name", name, "public_key", zcert_public_txt(cert), "public", public_path, "secret",
                                 secret_path));
    else
        printf("public  %s  (%s)\nsecret  %s  (stays with %s)\nkey     %s\n", public_path, where, secret_path, name,
               zcert_public_txt(cert));
    return CLI_OK;
}

int cli_keys(struct cli *cli, const struct cli_verb *verb, int argc, char **argv)
{
    const char *name = NULL, *roles = "worker,client";
    const struct cli_option options[] = {
        { "name", CLI_TEXT, &name, "NAME of who will hold the secret; also the name of the files" },
        { "roles", CLI_TEXT, &roles, "LIST of worker,client,gateway,admin, or coordinator (worker,client)" },
        { NULL, CLI_FLAG, NULL, NULL },
    };
    struct cli_args args;
    int code = cli_parse(cli, verb, options, argc, argv, 2, 2, &args);
    if (code >= 0) return code;
    if (strcmp(args.items[0], "new") != 0) return cli_usage(verb, "'%s' is not known here (new)", args.items[0]);
    if (!name || !plain(name)) return cli_usage(verb, "--name takes letters, digits, '-', '_' and '.', at most 64");
    if (!known_roles(roles)) return cli_usage(verb, "--roles: '%s' is not a list of worker, client, gateway, admin, coordinator", roles);
    if (!cli->tenant && strcmp(roles, "coordinator") != 0)
        return cli_usage(verb, "--tenant is missing (* = any tenant, for gateways and admins)");
    if (cli->tenant && strcmp(cli->tenant, "*") != 0 && !plain(cli->tenant))
        return cli_usage(verb, "--tenant: '%s' is not a tenant's name", cli->tenant);

    zsys_handler_set(NULL); /* it would take SIGINT and SIGTERM from us */
    zcert_t *cert = zcert_new();
    if (!cert) return cli_fail("cannot make a key pair: %s", strerror(errno));
    zcert_set_meta(cert, "name", "%s", name);
    zcert_set_meta(cert, "roles", "%s", roles);
    if (cli->tenant) zcert_set_meta(cert, "tenant", "%s", cli->tenant);
    code = write_pair(cli, cert, args.items[1], name, strcmp(roles, "coordinator") == 0);
    zcert_destroy(&cert);
    return code;
}
