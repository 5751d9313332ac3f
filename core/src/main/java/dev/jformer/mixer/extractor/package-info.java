/**
 * Extractors, which stand in for causal self-attention and compare no tokens (arXiv 2308.07661).
 */
package dev.jformer.mixer.extractor;
