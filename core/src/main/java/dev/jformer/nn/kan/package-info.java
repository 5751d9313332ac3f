/** Learned rational activations and layers of Kolmogorov-Arnold networks (KAN). */
package dev.jformer.nn.kan;
