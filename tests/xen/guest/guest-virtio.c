/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A module for a test guest: virtio-mmio devices in a Xen domain on x86, where kernels of distributions have none (they are built without XEN_VIRTIO).
 *
 * Per device: where its registers are, whether its memory is granted, and where in xenstore the number of its event channel belongs.  A granted device gets
 * DMA operations whose addresses are grants: bit 63, the reference, the offset in the page.  Others see the guest's own physical addresses.
 *
 * A grant that is ended while somebody still has it mapped is counted in `busy`: the page is then lost to this guest, and the test has failed.
 */
#include <linux/dma-map-ops.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <xen/events.h>
#include <xen/grant_table.h>
#include <xen/interface/event_channel.h>
#include <xen/xen.h>
#include <xen/xenbus.h>
#include <asm/xen/hypercall.h>

#define MAX_DEVICES 4
#define REGISTERS 0x200
#define GRANT_BIT (1ULL << 63)

static ulong base[MAX_DEVICES];
static bool grant[MAX_DEVICES];
static char *node[MAX_DEVICES];
static int n_base, n_grant, n_node;
module_param_array (base, ulong, &n_base, 0444);
MODULE_PARM_DESC (base, "addresses of the devices' registers");
module_param_array (grant, bool, &n_grant, 0444);
MODULE_PARM_DESC (grant, "is their memory granted?");
module_param_array (node, charp, &n_node, 0444);
MODULE_PARM_DESC (node, "their nodes in xenstore, in the domain's folder");

static atomic_t busy, granted;

static int
get_counter (char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit (buffer, "%d\n", atomic_read (kp->arg));
}

static const struct kernel_param_ops counter_ops = { .get = get_counter };
module_param_cb (busy, &counter_ops, &busy, 0444);
MODULE_PARM_DESC (busy, "grants that were still mapped when they ended");
module_param_cb (granted, &counter_ops, &granted, 0444);
MODULE_PARM_DESC (granted, "pages that are granted now");

/* --- grants --- */

/* Grants n pages to dom0, with adjacent references. */
static dma_addr_t
grant_pages (phys_addr_t page, unsigned int n, bool readonly)
{
	grant_ref_t ref;
	unsigned int i;

	if (gnttab_alloc_grant_reference_seq (n, &ref))
		return DMA_MAPPING_ERROR;
	for (i = 0; i < n; i++)
		gnttab_grant_foreign_access_ref (ref + i, 0, pfn_to_gfn (PHYS_PFN (page) + i), readonly);
	atomic_add (n, &granted);
	return GRANT_BIT | (u64) ref << PAGE_SHIFT;
}

/* References of pages that are still mapped are not used again. */
static void
end_grants (dma_addr_t addr, unsigned int n)
{
	grant_ref_t ref = (addr & ~GRANT_BIT) >> PAGE_SHIFT;
	unsigned int i, held = 0;

	for (i = 0; i < n; i++)
		held += !gnttab_end_foreign_access_ref (ref + i);
	atomic_sub (n, &granted);
	atomic_add (held, &busy);
	if (held == 0)
		gnttab_free_grant_reference_seq (ref, n);
}

/* --- DMA operations --- */

static void *
grant_alloc (struct device *dev, size_t size, dma_addr_t *addr, gfp_t gfp, unsigned long attrs)
{
	size_t whole = PAGE_ALIGN (size);
	void *pages = alloc_pages_exact (whole, gfp | __GFP_ZERO);

	if (!pages)
		return NULL;
	*addr = grant_pages (virt_to_phys (pages), whole >> PAGE_SHIFT, false);
	if (*addr == DMA_MAPPING_ERROR) {
		free_pages_exact (pages, whole);
		return NULL;
	}
	return pages;
}

static void
grant_free (struct device *dev, size_t size, void *pages, dma_addr_t addr, unsigned long attrs)
{
	end_grants (addr, PAGE_ALIGN (size) >> PAGE_SHIFT);
	free_pages_exact (pages, PAGE_ALIGN (size));
}

static dma_addr_t
grant_map_page (struct device *dev, struct page *page, unsigned long offset, size_t size, enum dma_data_direction dir, unsigned long attrs)
{
	phys_addr_t start = page_to_phys (page) + offset;
	dma_addr_t addr = grant_pages (start & PAGE_MASK, PFN_UP (offset_in_page (start) + size), dir == DMA_TO_DEVICE);

	return addr == DMA_MAPPING_ERROR ? addr : addr + offset_in_page (start);
}

static void
grant_unmap_page (struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir, unsigned long attrs)
{
	end_grants (addr & PAGE_MASK, PFN_UP (offset_in_page (addr) + size));
}

static void
grant_unmap_sg (struct device *dev, struct scatterlist *list, int n, enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *s;
	int i;

	for_each_sg (list, s, n, i)
		grant_unmap_page (dev, s->dma_address, sg_dma_len (s), dir, attrs);
}

static int
grant_map_sg (struct device *dev, struct scatterlist *list, int n, enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *s;
	int i;

	for_each_sg (list, s, n, i) {
		s->dma_address = grant_map_page (dev, sg_page (s), s->offset, s->length, dir, attrs);
		if (s->dma_address == DMA_MAPPING_ERROR) {
			grant_unmap_sg (dev, list, i, dir, attrs);
			return -EIO;
		}
		sg_dma_len (s) = s->length;
	}
	return n;
}

static int
grant_supported (struct device *dev, u64 mask)
{
	return mask == DMA_BIT_MASK (64);
}

static const struct dma_map_ops grant_dma_ops = {
	.alloc = grant_alloc,
	.free = grant_free,
	.map_page = grant_map_page,
	.unmap_page = grant_unmap_page,
	.map_sg = grant_map_sg,
	.unmap_sg = grant_unmap_sg,
	.dma_supported = grant_supported,
};

/* --- devices --- */

static struct guest_device {
	struct platform_device *platform;
	evtchn_port_t port;
} devices[MAX_DEVICES];

static int
open_port (struct guest_device *d, const char *path)
{
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = 0 };
	int irq, err = HYPERVISOR_event_channel_op (EVTCHNOP_alloc_unbound, &alloc);

	if (err)
		return err;
	irq = bind_evtchn_to_irq (alloc.port);
	if (irq < 0)
		return irq;
	d->port = alloc.port;
	err = xenbus_printf (XBT_NIL, path, "event-channel", "%u", alloc.port);
	return err ? err : irq;
}

static int
add_device (unsigned int i)
{
	struct guest_device *d = &devices[i];
	struct resource resources[2] = {};
	int irq = open_port (d, node[i]), err;

	if (irq < 0)
		return irq;
	resources[0] = (struct resource) DEFINE_RES_MEM (base[i], REGISTERS);
	resources[1] = (struct resource) DEFINE_RES_IRQ (irq);
	d->platform = platform_device_alloc ("virtio-mmio", i);
	if (!d->platform)
		return -ENOMEM;
	err = platform_device_add_resources (d->platform, resources, 2);
	if (err)
		return err;
	dma_coerce_mask_and_coherent (&d->platform->dev, DMA_BIT_MASK (64));
	if (grant[i])
		set_dma_ops (&d->platform->dev, &grant_dma_ops);
	err = platform_device_add (d->platform);
	if (err) {
		platform_device_put (d->platform);
		d->platform = NULL;
	}
	return err;
}

static void
remove_device (unsigned int i)
{
	struct guest_device *d = &devices[i];

	if (d->platform)
		platform_device_unregister (d->platform);
	if (d->port) {
		xenbus_rm (XBT_NIL, node[i], "event-channel");
		evtchn_put (d->port);
	}
	*d = (struct guest_device) {};
}

static void
remove_devices (void)
{
	unsigned int i;

	for (i = 0; i < MAX_DEVICES; i++)
		remove_device (i);
}

static int __init
guest_virtio_init (void)
{
	int i, err = 0;

	if (!xen_domain ())
		return -ENODEV;
	if (n_base == 0 || n_grant != n_base || n_node != n_base)
		return -EINVAL;
	for (i = 0; i < n_base && !err; i++)
		err = add_device (i);
	if (err)
		remove_devices ();
	return err;
}

static void __exit
guest_virtio_exit (void)
{
	remove_devices ();
	if (atomic_read (&granted) || atomic_read (&busy))
		pr_err ("guest-virtio: %d pages granted, %d were still mapped\n", atomic_read (&granted), atomic_read (&busy));
}

module_init (guest_virtio_init);
module_exit (guest_virtio_exit);
MODULE_LICENSE ("GPL");
MODULE_DESCRIPTION ("virtio-mmio devices of a Xen guest, for tests of libvhost");
