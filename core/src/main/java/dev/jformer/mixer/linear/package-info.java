/** Linear attention, whose cost grows linearly with the length of the sequence. */
package dev.jformer.mixer.linear;
