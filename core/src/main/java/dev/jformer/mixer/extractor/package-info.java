/**
 * Extractors, which replace causal self-attention without comparing tokens (<a
 * href="https://arxiv.org/abs/2308.07661">Attention Is Not All You Need Anymore</a>).
 */
package dev.jformer.mixer.extractor;
