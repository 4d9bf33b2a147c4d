/* Without a ZAP handler libzmq lets in anyone who knows the server's public key. So the handler runs before bind, and when it ends the
 * coordinator stops. CZMQ would take over SIGINT and SIGTERM with its first socket: zsys_handler_set(NULL) comes first. */
#include "coordinator/shell/curve.h"

#include <czmq.h>
#include <stdlib.h>

struct curve {
    void *context;
    zactor_t *actor;
    zcert_t *key;
};

static struct curve *refuse(struct curve *curve, char *error, size_t error_size, const char *what, const char *name)
{
    snprintf(error, error_size, "%s: %s", name, what);
    curve_close(&curve);
    return NULL;
}

struct curve *curve_open(const char *certificates, const char *key, char *error, size_t error_size)
{
    struct curve *curve = calloc(1, sizeof *curve);
    if (!curve) return NULL;
    if (!zsys_has_curve()) return refuse(curve, error, error_size, "this libzmq is built without CURVE", "[curve]");
    zsys_handler_set(NULL);
    curve->context = zsys_init();
    zsys_handler_set(NULL);
    if (!zsys_file_exists(certificates) || !(zsys_file_mode(certificates) & S_IFDIR))
        return refuse(curve, error, error_size, "is not a directory of certificates", certificates);
    curve->key = zcert_load(key);
    if (!curve->key) return refuse(curve, error, error_size, "is no certificate that can be read", key);
    static const uint8_t none[32] = { 0 };
    if (memcmp(zcert_secret_key(curve->key), none, sizeof none) == 0)
        return refuse(curve, error, error_size, "holds no secret key (a file of the same name ending in _secret is looked for first)", key);
    curve->actor = zactor_new(zauth, NULL);
    if (!curve->actor) return refuse(curve, error, error_size, "the ZAP actor does not start", "[curve]");
    if (zstr_sendx(curve->actor, "CURVE", certificates, NULL) != 0 || zsock_wait(curve->actor) != 0)
        return refuse(curve, error, error_size, "the ZAP actor does not take it", certificates);
    return curve;
}

void *curve_context(struct curve *curve)
{
    return curve->context;
}

bool curve_apply(struct curve *curve, void *socket)
{
    int on = 1;
    return zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, "weir", 4) == 0 && zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &on, sizeof on) == 0 &&
           zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, zcert_secret_key(curve->key), 32) == 0;
}

void *curve_watch(struct curve *curve)
{
    return zsock_resolve(curve->actor);
}

void curve_close(struct curve **curve)
{
    if (!*curve) return;
    zactor_destroy(&(*curve)->actor);
    zcert_destroy(&(*curve)->key);
    if ((*curve)->context) zsys_shutdown();
    free(*curve);
    *curve = NULL;
}
