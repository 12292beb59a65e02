/*
 * cpu.h -- what a loader must know about the CPU, and set in it
 *
 * Source: Intel SDM volume 2, "CPUID" and "RDTSC"; volume 3, "Control Registers";
 * volume 4, "Model-Specific Registers".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CPUID_EXTENDED_FEATURES 0x80000001
#define CPUID_EDX_NX (1u << 20)
#define CPUID_EDX_PAGE_1G (1u << 26)
#define CPUID_ADDRESS_SIZES 0x80000008
#define PHYSICAL_BITS_MOST 52    /* as far as a page table entry can point */
#define PHYSICAL_BITS_DEFAULT 36 /* of a CPU that does not say */

#define CR4_LA57 (1u << 12) /* page tables have five levels */

#define MSR_EFER 0xc0000080
#define EFER_LME (1u << 8)  /* long mode enable */
#define EFER_LMA (1u << 10) /* long mode active: the CPU's answer */
#define EFER_NXE (1u << 11) /* page table entries may have the NX bit */

/* Ask CPUID; returns eax, and edx through the pointer. */
static inline uint32_t cpuid(uint32_t function, uint32_t *edx)
{
    uint32_t eax, ebx, ecx;
    __asm__ volatile("cpuid"
                     : "=a"(eax), "=b"(ebx), "=c"(ecx), "=d"(*edx)
                     : "a"(function), "c"(0));
    return eax;
}

static inline bool cpu_has(uint32_t extended_feature)
{
    uint32_t edx;
    cpuid(CPUID_EXTENDED_FEATURES, &edx);
    return edx & extended_feature;
}

/* Returns how many bits a physical address has on this CPU, at most 52. */
static inline uint8_t cpu_physical_bits(void)
{
    uint32_t edx;
    if (cpuid(0x80000000, &edx) < CPUID_ADDRESS_SIZES) {
        return PHYSICAL_BITS_DEFAULT;
    }
    const uint8_t bits = (uint8_t)cpuid(CPUID_ADDRESS_SIZES, &edx);
    return bits < PHYSICAL_BITS_MOST ? bits : PHYSICAL_BITS_MOST;
}

static inline uint64_t read_cr4(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}
