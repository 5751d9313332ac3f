/** Linear layers whose weight is a product of smaller or sparser matrices. */
package dev.jformer.nn.factorized;
