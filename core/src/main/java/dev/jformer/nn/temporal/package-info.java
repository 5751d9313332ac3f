/**
 * Layers of sequences that read frame after frame and can go on with what came before: causal
 * convolutions, spiking neurons.
 */
package dev.jformer.nn.temporal;
