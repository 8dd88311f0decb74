#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# check-guest-blk.sh with packed rings.

GUEST_RINGS=packed exec bash "$(dirname "$0")/check-guest-blk.sh"
