/**
 * How layers store matrices in few bits. Not part of the library's API: it may change at any time.
 */
package dev.jformer.nn.internal;
