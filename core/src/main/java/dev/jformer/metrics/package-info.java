/** Measures of quality: BLEU, classification accuracy and F1, forecast errors, rank correlation. */
package dev.jformer.metrics;
