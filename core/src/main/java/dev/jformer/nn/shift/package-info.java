/** Linear layers whose weights are powers of two. */
package dev.jformer.nn.shift;
