/** Algorithms that channel mixers use. Not part of the library's API: it may change at any time. */
package dev.jformer.ffn.internal;
