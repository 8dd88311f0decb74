/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Crypto sessions as vhost-user hands them from front-end to back-end (CREATE_CRYPTO_SESSION).  Numbers are those of virtio-crypto (virtio 1.2, 5.9).
 */
#ifndef VHOST_CRYPTO_H
#define VHOST_CRYPTO_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VH_CRYPTO_MAX_CIPHER_KEY 64
#define VH_CRYPTO_MAX_AUTH_KEY 512
#define VH_CRYPTO_MAX_ASYM_KEY 1024

/* Symmetric: a cipher, a hash or MAC, or a chain of both. */
struct vh_crypto_sym {
	uint32_t cipher;
	uint32_t cipher_key_size;	/* bytes of cipher_key */
	uint32_t hash;
	uint32_t hash_result_size;
	uint32_t auth_key_size;		/* bytes of auth_key */
	uint32_t aad_size;
	uint8_t op_type;
	uint8_t direction;
	uint8_t hash_mode;
	uint8_t chain_order;
	uint8_t cipher_key[VH_CRYPTO_MAX_CIPHER_KEY];
	uint8_t auth_key[VH_CRYPTO_MAX_AUTH_KEY];
};

/* Asymmetric. */
struct vh_crypto_asym {
	uint32_t algorithm;
	uint32_t key_type;
	uint32_t key_size;		/* bytes of key */
	uint32_t rsa_padding;
	uint32_t rsa_hash;
	uint8_t key[VH_CRYPTO_MAX_ASYM_KEY];
};

struct vh_crypto_session {
	uint32_t opcode;		/* VIRTIO_CRYPTO_*_CREATE_SESSION */
	int asymmetric;			/* 1: asym, when the opcode is AKCIPHER's; 0: sym */
	union {
		struct vh_crypto_sym sym;
		struct vh_crypto_asym asym;
	} u;
};

#ifdef __cplusplus
}
#endif
#endif
