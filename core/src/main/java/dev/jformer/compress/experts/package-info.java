/**
 * Splitting perceptrons into experts (EMoE), and extracting models from nested ones (MatFormer).
 */
package dev.jformer.compress.experts;
