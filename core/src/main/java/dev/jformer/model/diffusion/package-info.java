/** Diffusion models, their training objective and their sampler. */
package dev.jformer.model.diffusion;
