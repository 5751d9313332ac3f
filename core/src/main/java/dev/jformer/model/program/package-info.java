/**
 * Transformer Programs: models whose trained form is a readable program (<a
 * href="https://arxiv.org/abs/2306.01128">Learning Transformer Programs</a>).
 */
package dev.jformer.model.program;
