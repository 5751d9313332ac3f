/** Helpers that the packages of data share. */
package dev.jformer.data.internal;
