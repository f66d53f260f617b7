// SPDX-License-Identifier: GPL-2.0
/*
 * Mint: how a request is refused.
 *
 * Owns the line of text that the caller of kexec_load() and the log get.
 */

#include <linux/kernel.h>
#include <linux/stdarg.h>

#include "../area/area.h"
#include "request.h"

/**
 * mint_refuse() - say why a request is refused
 * @rq:		request
 * @err:	the error
 * @fmt:	resource, owner, remedy, in one line
 *
 * Context: process.
 * Return: @err.
 */
int mint_refuse(struct mint_kexec *rq, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vscnprintf(rq->handover.report, sizeof(rq->handover.report), fmt, args);
	va_end(args);
	pr_err("refused: %s\n", rq->handover.report);
	return err;
}
