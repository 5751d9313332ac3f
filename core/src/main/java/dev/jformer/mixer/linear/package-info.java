/** Linear attention: the cost grows with the length of the sequence, not with its square. */
package dev.jformer.mixer.linear;
