/**
 * A kit for tests of your own parts: {@link dev.jformer.check.MixerChecks} checks that a token
 * mixer is causal, ignores padding, decodes step by step as it reads whole sequences, and has the
 * right gradients.
 */
package dev.jformer.check;
