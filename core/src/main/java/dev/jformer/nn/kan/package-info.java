/** Learned activation functions and Kolmogorov-Arnold layers. */
package dev.jformer.nn.kan;
