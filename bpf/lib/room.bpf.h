/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Who gives way when the ring buffer is almost full: waits and samples do, so that requests are still counted. */
#ifndef KINDLING_ROOM_H
#define KINDLING_ROOM_H

#include "maps.bpf.h"

const volatile __u64 detail_limit = 14 << 20; /* bytes waiting in the ring buffer from which there is no room for detail */

static __always_inline bool has_room_for_detail(void)
{
	return bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) < detail_limit;
}

#endif /* KINDLING_ROOM_H */
