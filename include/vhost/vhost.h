/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything.
 */
#ifndef VHOST_VHOST_H
#define VHOST_VHOST_H

#include <vhost/backend.h>
#include <vhost/crypto.h>
#include <vhost/daemon.h>
#include <vhost/device.h>
#include <vhost/error.h>
#include <vhost/frontend.h>
#include <vhost/gpu.h>
#include <vhost/kernel.h>
#include <vhost/log.h>
#include <vhost/loop.h>
#include <vhost/memory.h>
#include <vhost/postcopy.h>
#include <vhost/protocol.h>
#include <vhost/queue.h>
#include <vhost/session.h>
#include <vhost/socket.h>
#include <vhost/vdpa.h>
#include <vhost/version.h>

#endif
