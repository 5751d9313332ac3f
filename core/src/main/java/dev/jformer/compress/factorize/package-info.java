/** Factorization: weights as products of low-rank (SVD) or dense and sparse (DSFormer) matrices. */
package dev.jformer.compress.factorize;
