/**
 * Decoding with trained models: sampling and text generation, speculative decoding, beam search and
 * translation. Start with {@link dev.jformer.decode.Generator} and {@link
 * dev.jformer.decode.BeamTranslator}.
 */
package dev.jformer.decode;
