/** Linear layers whose weights are powers of two (shift networks, DenseShift). */
package dev.jformer.nn.shift;
