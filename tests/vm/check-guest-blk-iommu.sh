#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# check-guest-blk.sh with an IOMMU in the guest.

GUEST_IOMMU=yes exec bash "$(dirname "$0")/check-guest-blk.sh"
