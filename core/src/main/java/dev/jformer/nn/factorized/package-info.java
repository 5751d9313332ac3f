/**
 * Linear layers whose weight is a product of smaller or sparser matrices: low-rank and DSFormer.
 */
package dev.jformer.nn.factorized;
