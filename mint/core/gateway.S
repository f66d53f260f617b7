/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mint: the gateway, the one page below 1 MiB in which every core starts.
 *
 * A STARTUP IPI brings a core here in real mode, whoever sent it and whatever
 * for: the first core of a new node or a further core of a running one. It
 * goes to protected mode, looks its own APIC ID up in the common area and
 * leaves for the entry that its owner published there, in protected or in
 * long mode. A core for which nothing was published halts here.
 *
 * The same page holds the park loop, in which cores end whose kernel is gone,
 * and the restart loop, with which a node puts a new kernel over its old one:
 * the page lies in nobody's memory and runs on the identity map of the common
 * area.
 *
 * The code between mint_gateway and mint_gateway_end is copied by gateway_init.c,
 * which fills the fields named gw_*. It has no stack until a core has found
 * its record, so that any number of cores may pass at once.
 */

#include <linux/linkage.h>
#include <asm/apicdef.h>
#include <asm/asm-offsets.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/processor-flags.h>
#include <uapi/asm/mint.h>

#include "gateway.h"

#define GW(sym)		((sym) - mint_gateway)
#define CPUID_NX	(X86_FEATURE_NX & 31)	/* %edx of 0x80000001 */

	.section ".rodata", "a"
	.balign	4096
SYM_DATA_START(mint_gateway)
	.code16
	cli
	cld
	rdtsc
	movl	%eax, %ebp
	movl	%edx, %esp		/* no stack yet: a register as any other */
	movw	%cs, %ax
	movw	%ax, %ds
	xorl	%ebx, %ebx
	movw	%ax, %bx
	shll	$4, %ebx		/* linear address of this page */
	lgdtl	GW(gw_gdtr)
	movl	$(CR0_STATE & ~X86_CR0_PG), %eax
	movl	%eax, %cr0
	ljmpl	*GW(gw_jump32)

	.code32
.Lprotected:
	movw	$GW_DS, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	%ax, %fs
	movw	%ax, %gs

	/* Own APIC ID, as the local APIC tells it */
	movl	$MSR_IA32_APICBASE, %ecx
	rdmsr
	testl	$X2APIC_ENABLE, %eax
	jnz	1f
	cmpl	$0, GW(gw_x2apic)(%ebx)
	jne	0f
	andl	$0xfffff000, %eax
	movl	APIC_ID(%eax), %esi
	shrl	$24, %esi
	jmp	2f
	/* Node 0 is in x2APIC mode, and so are all that can be reached from it */
0:	orl	$X2APIC_ENABLE, %eax
	wrmsr
1:	movl	$APIC_X2APIC_ID_MSR, %ecx
	rdmsr
	movl	%eax, %esi
2:
	/* Own record */
	movl	GW(gw_cores)(%ebx), %edi
	movl	GW(gw_count)(%ebx), %ecx
3:	cmpl	%esi, MINT_CORE_APIC_ID(%edi)
	je	5f
	addl	GW(gw_stride)(%ebx), %edi
	decl	%ecx
	jnz	3b
4:	hlt				/* APIC ID is not in the core table */
	jmp	4b
5:	cmpl	$MINT_CORE_START, MINT_CORE_STATE(%edi)
	jne	4b			/* no entry is published */
	movl	%ebp, MINT_CORE_TSC_GATEWAY(%edi)
	movl	%esp, MINT_CORE_TSC_GATEWAY+4(%edi)
	leal	MINT_CORE_SIZE(%edi), %esp
	rdtsc
	movl	%eax, MINT_CORE_TSC_LEFT(%edi)
	movl	%edx, MINT_CORE_TSC_LEFT+4(%edi)

	cmpl	$MINT_MODE_64, MINT_CORE_MODE(%edi)
	je	6f
	movl	MINT_CORE_ARG(%edi), %esi
	movl	MINT_CORE_ENTRY(%edi), %eax
	movl	$MINT_CORE_PASSED, MINT_CORE_STATE(%edi)
	xorl	%ebx, %ebx
	jmp	*%eax

6:	/* Long mode on the identity map with as many levels as the entry has */
	movl	MINT_CORE_CR4(%edi), %eax
	movl	%eax, %cr4
	movl	GW(gw_pml4)(%ebx), %ecx
	testl	$X86_CR4_LA57, %eax
	jz	7f
	movl	GW(gw_pml5)(%ebx), %ecx
7:	movl	%ecx, %cr3

	/*
	 * The firmware may have switched "execute disable" off (as in
	 * verify_cpu.S); a processor without it faults on EFER.NX.
	 */
	cmpl	$0, GW(gw_xd_disable)(%ebx)
	je	8f
	movl	$MSR_IA32_MISC_ENABLE, %ecx
	rdmsr
	btrl	$(MSR_IA32_MISC_ENABLE_XD_DISABLE_BIT - 32), %edx
	jnc	8f
	wrmsr
8:	movl	%ebx, %ebp
	movl	$0x80000001, %eax
	cpuid
	movl	%ebp, %ebx
	movl	MINT_CORE_EFER(%edi), %esi
	btl	$CPUID_NX, %edx
	jc	9f
	andl	$~EFER_NX, %esi
9:	movl	$MSR_EFER, %ecx
	rdmsr
	orl	%esi, %eax
	orl	$EFER_LME, %eax
	wrmsr
	movl	$CR0_STATE, %eax
	movl	%eax, %cr0
	ljmpl	*GW(gw_jump64)(%ebx)

	.code64
.Llong:
	/* Until the kernel has its own, an NMI is not to shut the core down */
	movl	%ebx, %ebx
	lidt	GW(gw_idtr)(%rbx)
	movl	%edi, %edi
	movl	%esp, %esp
	movq	MINT_CORE_CR3(%rdi), %rax
	testq	%rax, %rax
	jz	10f
	movq	%rax, %cr3
10:	movq	MINT_CORE_ARG(%rdi), %rsi
	movq	MINT_CORE_ENTRY(%rdi), %rax
	movl	$MINT_CORE_PASSED, MINT_CORE_STATE(%rdi)
	xorl	%ebx, %ebx
	xorl	%ebp, %ebp
	ANNOTATE_RETPOLINE_SAFE
	jmp	*%rax

	/*
	 * The way out of a kernel, to the park loop or to the restart loop.
	 * %rdi: the core's record, %rsi: identity map.
	 */
	.balign	16
.Lpark:
	endbr64
	leaq	.Lparked(%rip), %rdx
	jmp	.Lout
	.balign	16
.Lrestart:
	endbr64
	leaq	.Lrestarting(%rip), %rdx
.Lout:
	cli
	/* Tables and stack first: both maps have them, for an NMI on the way */
	lea	mint_gateway(%rip), %rbx
	lgdt	GW(gw_gdtr64)(%rbx)
	lidt	GW(gw_idtr)(%rbx)
	lea	MINT_CORE_SIZE(%rdi), %rsp
	movq	%rsi, %cr3
	movl	$GW_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	pushq	$GW_CS64
	pushq	%rdx
	lretq

	/*
	 * The park loop. Its stack is in the record; an NMI returns into the
	 * halt, and so does a machine check: CR4.MCE stays on, because with it
	 * off a machine check that is broadcast to all cores would reset the
	 * machine.
	 */
.Lparked:
	movq	%cr4, %rax
	orl	$X86_CR4_MCE, %eax
	movq	%rax, %cr4

	/*
	 * INIT stops no trace of branches or of samples, since it leaves MSRs as
	 * they are (Intel SDM vol. 3, 10.1.1 "Processor State After Reset"): it
	 * would go on into memory that is somebody else's from now on.
	 */
	leaq	gw_monitors(%rip), %rsi
	xorl	%eax, %eax
	xorl	%edx, %edx
.Lmonitor:
	movl	(%rsi), %ecx
	jecxz	.Lquiet
	addq	$4, %rsi
.Lmonitor_off:
	wrmsr
	jmp	.Lmonitor
.Lquiet:
	mfence				/* what they had to write is written */
	movl	$MINT_CORE_PARKED, MINT_CORE_STATE(%rdi)
9:	hlt
	jmp	9b

	/*
	 * The restart loop: put each segment of the kept image (struct
	 * mint_kept) in its place, over the kernel that came from there, and
	 * enter it.
	 */
.Lrestarting:
	cld
	movq	%rdi, %r8
	movq	MINT_CORE_ARG(%rdi), %rdx
	movl	MINT_KEPT_COUNT(%rdx), %r9d
	leaq	MINT_KEPT_SEGMENTS(%rdx), %r10
10:	movq	MINT_SEGMENT_TO(%r10), %rdi
	movq	MINT_SEGMENT_FROM(%r10), %rsi
	movq	MINT_SEGMENT_BYTES(%r10), %rcx
	shrq	$3, %rcx
	rep movsq
	movq	MINT_SEGMENT_ZERO(%r10), %rcx
	shrq	$3, %rcx
	xorl	%eax, %eax
	rep stosq
	addq	$MINT_SEGMENT_SIZE, %r10
	decl	%r9d
	jnz	10b
	movq	MINT_KEPT_ENTRY(%rdx), %rax
	movl	$MINT_CORE_PASSED, MINT_CORE_STATE(%r8)
	xorl	%esi, %esi
	xorl	%ebx, %ebx
	xorl	%ebp, %ebp
	ANNOTATE_RETPOLINE_SAFE
	jmp	*%rax

	.balign	16
.Lpark_exception:
	iretq

	/* A core without one of these registers goes on to the next */
	.balign	16
.Lpark_gp:
	addq	$8, %rsp
	pushq	%rax
	leaq	.Lmonitor_off(%rip), %rax
	cmpq	%rax, 8(%rsp)
	jne	.Lpark_fault
	leaq	.Lmonitor(%rip), %rax
	movq	%rax, 8(%rsp)
	popq	%rax
	iretq

	/* Anything else cannot be continued: stay here, INIT still reaches it */
	.balign	16
.Lpark_fault:
	cli
11:	hlt
	jmp	11b

	/*
	 * With MCIP left on, the next machine check would be a shutdown (Intel
	 * SDM vol. 3, 16.3.1.2 "IA32_MCG_STATUS MSR").
	 */
.Lpark_mce:
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	xorl	%eax, %eax
	xorl	%edx, %edx
	movl	$MSR_IA32_MCG_STATUS, %ecx
	wrmsr
	popq	%rdx
	popq	%rcx
	popq	%rax
	iretq

	.balign	16
SYM_INNER_LABEL(gw_gdt, SYM_L_GLOBAL)
	.quad	0
	.quad	0x00cf9b000000ffff	/* GW_CS32 */
	.quad	0x00af9b000000ffff	/* GW_CS64 */
	.quad	0x00cf93000000ffff	/* GW_DS */
.Lgdt_end:

SYM_INNER_LABEL(gw_gdtr, SYM_L_GLOBAL)
	.word	.Lgdt_end - gw_gdt - 1
	.long	0
	.balign	8
SYM_INNER_LABEL(gw_gdtr64, SYM_L_GLOBAL)
	.word	.Lgdt_end - gw_gdt - 1
	.quad	0
	.balign	8
SYM_INNER_LABEL(gw_idtr, SYM_L_GLOBAL)
	.word	GW_VECTORS * 16 - 1
	.quad	0
	.balign	8
SYM_INNER_LABEL(gw_jump32, SYM_L_GLOBAL)
	.long	GW(.Lprotected)
	.word	GW_CS32
	.balign	8
SYM_INNER_LABEL(gw_jump64, SYM_L_GLOBAL)
	.long	GW(.Llong)
	.word	GW_CS64
	.balign	8
SYM_INNER_LABEL(gw_park, SYM_L_GLOBAL)
	.long	GW(.Lpark)
SYM_INNER_LABEL(gw_restart, SYM_L_GLOBAL)
	.long	GW(.Lrestart)
SYM_INNER_LABEL(gw_restart_entry, SYM_L_GLOBAL)
	.long	GW(.Lrestarting)
SYM_INNER_LABEL(gw_exception, SYM_L_GLOBAL)
	.long	GW(.Lpark_exception)
SYM_INNER_LABEL(gw_fault, SYM_L_GLOBAL)
	.long	GW(.Lpark_fault)
SYM_INNER_LABEL(gw_mce, SYM_L_GLOBAL)
	.long	GW(.Lpark_mce)
SYM_INNER_LABEL(gw_gp, SYM_L_GLOBAL)
	.long	GW(.Lpark_gp)
SYM_INNER_LABEL(gw_cores, SYM_L_GLOBAL)
	.long	0
SYM_INNER_LABEL(gw_count, SYM_L_GLOBAL)
	.long	0
SYM_INNER_LABEL(gw_stride, SYM_L_GLOBAL)
	.long	0
SYM_INNER_LABEL(gw_pml4, SYM_L_GLOBAL)
	.long	0
SYM_INNER_LABEL(gw_pml5, SYM_L_GLOBAL)
	.long	0
SYM_INNER_LABEL(gw_x2apic, SYM_L_GLOBAL)
	.long	0
SYM_INNER_LABEL(gw_xd_disable, SYM_L_GLOBAL)
	.long	0
SYM_INNER_LABEL(gw_monitors, SYM_L_GLOBAL)
	.space	(GW_MONITORS + 1) * 4	/* a zero ends the list */
	.balign	16
SYM_INNER_LABEL(gw_idt, SYM_L_GLOBAL)
	.space	GW_VECTORS * 16
SYM_DATA_END_LABEL(mint_gateway, SYM_L_GLOBAL, mint_gateway_end)
	.org	mint_gateway + 4096	/* an error if it does not fit its page */

	.text
	.code64
/*
 * void mint_park_jump(u64 park, u64 core, u64 identity, u64 pgd)
 *
 * Leave the kernel for the park loop: first to page tables that hold both the
 * kernel and the identity map, then to the loop, which drops the kernel.
 */
SYM_FUNC_START(mint_park_jump)
	movq	%cr4, %rax
	andq	$(X86_CR4_PAE | X86_CR4_LA57 | X86_CR4_MCE), %rax
	movq	%rax, %cr4
	movq	%rcx, %cr3
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	ANNOTATE_RETPOLINE_SAFE
	jmp	*%rax
SYM_FUNC_END(mint_park_jump)
