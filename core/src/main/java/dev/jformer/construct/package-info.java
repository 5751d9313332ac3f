/**
 * Transformers whose weights are written by a program instead of being learned: they compute what a
 * machine computes, one token a step (<a href="https://arxiv.org/abs/2310.07923">The Expressive
 * Power of Transformers with Chain of Thought</a>).
 */
package dev.jformer.construct;
