/**
 * Networks of layers in groups of tokens and layers over the latents of all groups, which take the
 * place of a token mixer.
 */
package dev.jformer.model.interleaved;
