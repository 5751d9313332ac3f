/**
 * Measures of quality: BLEU, classification loss and accuracy, forecast errors, rank correlation.
 * Results are reported as {@link dev.jformer.metrics.Metrics}.
 */
package dev.jformer.metrics;
