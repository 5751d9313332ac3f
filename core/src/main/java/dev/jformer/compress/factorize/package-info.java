/** Factorization: weights as products of low-rank or dense and sparse matrices. */
package dev.jformer.compress.factorize;
