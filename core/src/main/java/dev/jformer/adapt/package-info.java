/**
 * Adapters: low-rank updates (LoRA, rsLoRA, DoRA, PiSSA, EVA) that are trained beside the frozen
 * linear layers of a model.
 */
package dev.jformer.adapt;
