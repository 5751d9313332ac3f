/**
 * Measures of quality and what they are reported as ({@link dev.jformer.metrics.Metrics}): BLEU,
 * classification accuracy and F1, forecast errors, rank correlation.
 */
package dev.jformer.metrics;
