/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Payloads of single kinds of devices: shared objects and memory, device state, notifier areas, crypto sessions.
 */
#include <errno.h>
#include <string.h>

#include "util/checked.h"
#include "wire/payload.h"

/* --- the structures of the wire --- */

struct wire_transfer {
	uint32_t direction, phase;
} __attribute__ ((packed));
_Static_assert (sizeof (struct wire_transfer) == 8, "device state transfer parameters");

struct wire_shmem_sizes {
	uint32_t n, padding;
	uint64_t sizes[VH_MAX_SHMEM];
} __attribute__ ((packed));
_Static_assert (sizeof (struct wire_shmem_sizes) == 2056, "VIRTIO shared memory configuration");

struct wire_shmem_map {
	uint8_t id, padding[7];
	uint64_t fd_offset, offset, size, flags;
} __attribute__ ((packed));
_Static_assert (sizeof (struct wire_shmem_map) == 40, "VIRTIO shared memory mapping");

struct wire_area {
	uint64_t ring, size, offset;
} __attribute__ ((packed));
_Static_assert (sizeof (struct wire_area) == 24, "vring area description");

/* The pointers are the sender's own and mean nothing to anybody else. */
struct wire_crypto_sym {
	uint32_t cipher, cipher_key_size, hash, hash_result_size, auth_key_size, aad_size;
	uint8_t op_type, direction, hash_mode, chain_order;
	uint32_t padding;
	uint64_t pointers[2];
	uint8_t cipher_key[VH_CRYPTO_MAX_CIPHER_KEY], auth_key[VH_CRYPTO_MAX_AUTH_KEY];
} __attribute__ ((packed));

struct wire_crypto_asym {
	uint32_t algorithm, key_type, key_size, padding;
	uint64_t pointer;
	uint32_t rsa_padding, rsa_hash;
	uint8_t key[VH_CRYPTO_MAX_ASYM_KEY];
} __attribute__ ((packed));

struct wire_crypto {
	uint64_t opcode;
	union {
		struct wire_crypto_sym sym;
		struct wire_crypto_asym asym;
	} u;
	int64_t id;
} __attribute__ ((packed));
_Static_assert (offsetof (struct wire_crypto, u.sym.cipher_key) == 56 && offsetof (struct wire_crypto, u.sym.auth_key) == 120, "symmetric session");
_Static_assert (offsetof (struct wire_crypto, u.asym.key) == 40, "asymmetric session");
_Static_assert (sizeof (struct wire_crypto) == 1072, "crypto session description");

#define VRING_INDEX_MASK 0xffu
#define VRING_NO_FD 0x100u

/* Copies a payload of one size only. */
static int
get_whole (const struct message *m, void *to, size_t size)
{
	if (m->size != size)
		return -EBADMSG;
	memcpy (to, m->body, size);
	return 0;
}

static void
put_whole (struct message *m, const void *from, size_t size)
{
	memcpy (m->body, from, size);
	m->size = (uint32_t) size;
}

/* --- shared objects --- */

int
message_get_uuid (const struct message *m, uint8_t uuid[UUID_SIZE])
{
	return get_whole (m, uuid, UUID_SIZE);
}

void
message_put_uuid (struct message *m, const uint8_t uuid[UUID_SIZE])
{
	put_whole (m, uuid, UUID_SIZE);
}

/* --- device state --- */

int
message_get_transfer (const struct message *m, struct state_transfer *ret)
{
	struct wire_transfer w;
	int err = get_whole (m, &w, sizeof (w));

	if (err == 0)
		*ret = (struct state_transfer){ .direction = w.direction, .phase = w.phase };
	return err;
}

void
message_put_transfer (struct message *m, const struct state_transfer *t)
{
	struct wire_transfer w = { .direction = t->direction, .phase = t->phase };

	put_whole (m, &w, sizeof (w));
}

/* --- shared memory --- */

static unsigned
count_sizes (const uint64_t sizes[VH_MAX_SHMEM])
{
	unsigned n = 0;

	for (unsigned i = 0; i < VH_MAX_SHMEM; i++)
		n += sizes[i] != 0;
	return n;
}

void
message_put_shmem_sizes (struct message *m, const uint64_t sizes[VH_MAX_SHMEM])
{
	struct wire_shmem_sizes w = { .n = count_sizes (sizes) };

	memcpy (w.sizes, sizes, sizeof (w.sizes));
	put_whole (m, &w, sizeof (w));
}

int
message_get_shmem_sizes (const struct message *m, uint64_t sizes[VH_MAX_SHMEM])
{
	struct wire_shmem_sizes w;
	int err = get_whole (m, &w, sizeof (w));

	if (err < 0)
		return err;
	memcpy (sizes, w.sizes, sizeof (w.sizes));
	return count_sizes (sizes) == w.n ? 0 : -EBADMSG;
}

int
message_get_shmem_map (const struct message *m, struct vh_shmem_map *ret)
{
	static const uint8_t no_padding[sizeof (((struct wire_shmem_map *) NULL)->padding)];
	struct wire_shmem_map w;
	uint64_t end;
	int err = get_whole (m, &w, sizeof (w));

	if (err < 0)
		return err;
	*ret = (struct vh_shmem_map){ .id = w.id, .flags = (unsigned) w.flags, .fd_offset = w.fd_offset, .offset = w.offset, .size = w.size };
	if ((w.flags & ~(uint64_t) VH_SHMEM_WRITABLE) || w.size == 0 || memcmp (w.padding, no_padding, sizeof (no_padding)) != 0)
		return -EBADMSG;
	return checked_add (w.offset, w.size, &end) && checked_add (w.fd_offset, w.size, &end) ? 0 : -EBADMSG;
}

void
message_put_shmem_map (struct message *m, const struct vh_shmem_map *map)
{
	struct wire_shmem_map w = { .id = map->id, .fd_offset = map->fd_offset, .offset = map->offset, .size = map->size, .flags = map->flags };

	put_whole (m, &w, sizeof (w));
}

/* --- notifier areas --- */

int
message_get_area (const struct message *m, struct notifier_area *ret)
{
	struct wire_area w;
	int err = get_whole (m, &w, sizeof (w));

	if (err < 0)
		return err;
	*ret = (struct notifier_area){
		.ring = { .index = w.ring & VRING_INDEX_MASK, .no_fd = w.ring & VRING_NO_FD }, .size = w.size, .offset = w.offset,
	};
	if (w.ring & ~(uint64_t) (VRING_INDEX_MASK | VRING_NO_FD))
		return -EBADMSG;
	return m->n_fds == (ret->ring.no_fd ? 0 : 1) ? 0 : -EBADMSG;
}

void
message_put_area (struct message *m, const struct notifier_area *a)
{
	struct wire_area w = { .ring = (a->ring.index & VRING_INDEX_MASK) | (a->ring.no_fd ? VRING_NO_FD : 0), .size = a->size, .offset = a->offset };

	put_whole (m, &w, sizeof (w));
}

/* --- crypto sessions --- */

/* Operation codes are a service in the upper byte and an operation in the lower (virtio 1.2, 5.9.7.2). */
#define SERVICE_AEAD 3
#define SERVICE_AKCIPHER 4

static bool
opcode_valid (uint64_t opcode, bool *asymmetric)
{
	*asymmetric = opcode >> 8 == SERVICE_AKCIPHER;
	/* "Create session" is 2 with the symmetric services and 4 with AKCIPHER. */
	return opcode >> 8 <= SERVICE_AKCIPHER && (opcode & 0xff) == (*asymmetric ? 4 : 2);
}

static int
get_sym (const struct wire_crypto_sym *w, struct vh_crypto_sym *s)
{
	if (w->cipher_key_size > sizeof (s->cipher_key) || w->auth_key_size > sizeof (s->auth_key))
		return -EBADMSG;
	*s = (struct vh_crypto_sym){
		.cipher = w->cipher, .cipher_key_size = w->cipher_key_size, .hash = w->hash, .hash_result_size = w->hash_result_size,
		.auth_key_size = w->auth_key_size, .aad_size = w->aad_size, .op_type = w->op_type, .direction = w->direction, .hash_mode = w->hash_mode,
		.chain_order = w->chain_order,
	};
	memcpy (s->cipher_key, w->cipher_key, w->cipher_key_size);
	memcpy (s->auth_key, w->auth_key, w->auth_key_size);
	return 0;
}

static int
get_asym (const struct wire_crypto_asym *w, struct vh_crypto_asym *a)
{
	if (w->key_size > sizeof (a->key))
		return -EBADMSG;
	*a = (struct vh_crypto_asym){
		.algorithm = w->algorithm, .key_type = w->key_type, .key_size = w->key_size, .rsa_padding = w->rsa_padding, .rsa_hash = w->rsa_hash,
	};
	memcpy (a->key, w->key, w->key_size);
	return 0;
}

int
message_get_crypto (const struct message *m, struct vh_crypto_session *ret)
{
	struct wire_crypto w;
	bool asymmetric;
	int err = get_whole (m, &w, sizeof (w));

	if (err < 0)
		return err;
	if (!opcode_valid (w.opcode, &asymmetric))
		return -EBADMSG;
	ret->opcode = (uint32_t) w.opcode;
	ret->asymmetric = asymmetric;
	return asymmetric ? get_asym (&w.u.asym, &ret->u.asym) : get_sym (&w.u.sym, &ret->u.sym);
}

static void
put_sym (struct wire_crypto_sym *w, const struct vh_crypto_sym *s)
{
	*w = (struct wire_crypto_sym){
		.cipher = s->cipher, .cipher_key_size = s->cipher_key_size, .hash = s->hash, .hash_result_size = s->hash_result_size,
		.auth_key_size = s->auth_key_size, .aad_size = s->aad_size, .op_type = s->op_type, .direction = s->direction, .hash_mode = s->hash_mode,
		.chain_order = s->chain_order,
	};
	memcpy (w->cipher_key, s->cipher_key, s->cipher_key_size);
	memcpy (w->auth_key, s->auth_key, s->auth_key_size);
}

static void
put_asym (struct wire_crypto_asym *w, const struct vh_crypto_asym *a)
{
	*w = (struct wire_crypto_asym){
		.algorithm = a->algorithm, .key_type = a->key_type, .key_size = a->key_size, .rsa_padding = a->rsa_padding, .rsa_hash = a->rsa_hash,
	};
	memcpy (w->key, a->key, a->key_size);
}

void
message_put_crypto (struct message *m, const struct vh_crypto_session *session)
{
	struct wire_crypto w = { .opcode = session->opcode };

	if (session->asymmetric)
		put_asym (&w.u.asym, &session->u.asym);
	else
		put_sym (&w.u.sym, &session->u.sym);
	put_whole (m, &w, sizeof (w));
}

void
message_put_crypto_id (struct message *m, int64_t id)
{
	struct wire_crypto w = { .id = id };

	put_whole (m, &w, sizeof (w));
}

int
message_get_crypto_id (const struct message *m, int64_t *ret)
{
	struct wire_crypto w;
	int err = get_whole (m, &w, sizeof (w));

	if (err == 0)
		*ret = w.id;
	return err;
}
