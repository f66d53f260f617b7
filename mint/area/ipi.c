// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: interrupts from one kernel to another.
 *
 * Owns the interrupt commands that this kernel sends, and which cores they can
 * name at all. What an interrupt is about is the business of bell.c.
 */

#include <linux/irqflags.h>
#include <linux/kernel.h>

#include <kunit/visibility.h>

#include <asm/apic.h>
#include <asm/barrier.h>
#include <asm/irq_vectors.h>

#include "area.h"

/*
 * To a local APIC in xAPIC mode this is every core, whatever the sender's mode
 * (Intel SDM vol. 3, 11.6.2.1 "Physical Destination Mode").
 */
#define XAPIC_BROADCAST		255

/* Why an ID above the highest is refused: [0] in xAPIC, [1] in x2APIC mode */
static const char * const beyond[] = {
	"is out of reach in xAPIC mode, which knows IDs up to 254: choose a lower one, or boot node 0 in x2APIC mode (interrupt remapping on, no intremap=off, no nox2apic)",
	"is out of reach in x2APIC mode without interrupt remapping: choose a lower one, or boot node 0 without intremap=off",
};

/**
 * mint_reach_problem() - why no interrupt command names an APIC ID
 * @apic_id:	APIC ID
 * @x2apic:	the sender's local APIC is in x2APIC mode
 * @max:	highest ID that its APIC driver addresses
 *
 * In xAPIC mode the interrupt command register has 8 bits for an ID (Intel SDM
 * vol. 3, 11.6.1 "Interrupt Command Register (ICR)"): a higher one would be
 * another core's, the BSP's perhaps.
 *
 * Context: any.
 * Return: NULL if there is nothing in the way; else mode and remedy, to be
 * continued from "APIC ID <n> ".
 */
VISIBLE_IF_KUNIT const char *mint_reach_problem(u32 apic_id, bool x2apic,
						u32 max)
{
	if (apic_id == XAPIC_BROADCAST)
		return "means all cores in xAPIC mode: choose another one";
	if (apic_id <= max)
		return NULL;
	return beyond[x2apic];
}
EXPORT_SYMBOL_IF_KUNIT(mint_reach_problem);

/**
 * mint_apic_id_problem() - can this kernel start and stop a core at all?
 * @apic_id:	APIC ID
 *
 * Context: any, once the APIC driver is known.
 * Return: as mint_reach_problem().
 */
const char *mint_apic_id_problem(u32 apic_id)
{
	return mint_reach_problem(apic_id, x2apic_mode, apic->max_apic_id);
}

/**
 * mint_send_ipi() - send an interrupt command
 * @command:	for the interrupt command register, without the destination
 * @apic_id:	APIC ID of a core, of this node or of another one
 *
 * All of Mint's commands but STARTUP are sent here. What was written before is
 * visible to who gets it: a write to the register of x2APIC orders nothing
 * (Intel SDM vol. 3, 11.12.3 "MSR Access in x2APIC Mode"). One in xAPIC mode
 * waits for the command before it.
 *
 * Context: any, but no NMI that returns: in xAPIC mode it may have come between
 *	    the two writes of another command, which would then go to its core.
 * Return: 0; -EINVAL if no command can name the core, -EIO if the local APIC
 * is busy for too long: nothing was sent then.
 */
int mint_send_ipi(u32 command, u32 apic_id)
{
	unsigned long flags;
	int err = 0;

	if (mint_apic_id_problem(apic_id))
		return -EINVAL;

	local_irq_save(flags);
	if (x2apic_mode)
		weak_wrmsr_fence();
	else if (safe_apic_wait_icr_idle())
		err = -EIO;
	if (!err)
		apic_icr_write(command, apic_id);
	local_irq_restore(flags);
	return err;
}

/**
 * mint_doorbell() - interrupt a core of another node
 * @apic_id:	APIC ID of the core
 *
 * A kernel that finds no cause in the core's bell looks at everything. Nothing
 * tells whether it was heard.
 *
 * Context: as mint_send_ipi().
 */
void mint_doorbell(u32 apic_id)
{
	/* A kernel that dies early may not have mapped its local APIC yet */
	if (!mint_common_mapped())
		return;
	mint_send_ipi(APIC_DM_FIXED | X86_PLATFORM_IPI_VECTOR, apic_id);
}
